# kind: waiting for nothing
# task: output
# wants: timeout
import select

select.select([], [], [])
