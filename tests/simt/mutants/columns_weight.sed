# Every row counts as much.
# in columns.cuh, compile joined.cu, plain, --only head
s/sum\[k\] += y\[k\] \* weight;/sum[k] += y[k];/
