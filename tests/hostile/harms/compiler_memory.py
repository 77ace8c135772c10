# kind: source that the compiler does not survive
# wants: refused
# repeat: x=1,2,3,[y for y in z if y];
