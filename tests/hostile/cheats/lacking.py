# kind: the yardstick: an agent that lacks the function
# wants: error error error
