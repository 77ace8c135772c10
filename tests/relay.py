# What was told before must be read as it was told, however late the host reads and whatever is told meanwhile.
reader, writer = os.pipe()
terminal = os.dup(1)
os.dup2(writer, 1)
outbox, told = Outbox(), []
for number in range(5):
    claim = b"%d " % number * 50
    os.pwrite(outbox.claim, claim, 0)
    outbox.put(b"w", claim[::-1])
    outbox.put_files(b"v", b"head", (outbox.claim, 0, len(claim)))
    outbox.flush()
    told += [(b"w", claim[::-1]), (b"v", b"head" + claim)]
os.dup2(terminal, 1)
os.close(writer)
wire = Wire(reader, None)
while wire.fill():
    pass
heard = []
while frame := wire.take():
    heard.append(frame)
assert heard == told, [(mine, yours) for mine, yours in zip(told, heard) if mine != yours][:2]
print("all as it should be")
