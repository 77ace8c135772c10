# kind: exit codes never score, neither for nor against
# task: output
# wants: failed
raise SystemExit(0)
