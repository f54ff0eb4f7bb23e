# Every matrix is the first.
# in columns.cuh, compile joined.cu, plain, --only head
s/ + matrix \* a.rows \* a.columns + / + /
