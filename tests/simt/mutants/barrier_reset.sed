# The count does not start again.
# in barrier.cuh, compile joined.cu, plain, --only phases
s/atomicInc(&state\[0\], blocks - 1)/atomicInc(\&state[0], blocks)/
