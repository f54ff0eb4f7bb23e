# One element too many is reduced.
# in reduce.cu, compile reduce.cu, asan, --only reduce
s/end = a.n - begin < a.chunk ? a.n : /end = a.n - begin < a.chunk ? a.n + 1 : /
