# The count does not start again.
# in last.cuh, compile reduce.cu, plain, --only reduce
s/atomicInc(counter, blocks - 1)/atomicInc(counter, blocks)/
