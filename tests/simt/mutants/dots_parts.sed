# The last warp of a row is left out.
# in dots.cuh, compile joined.cu, plain, --only head
s/k < lanes \/ 32; k++/k + 1 < lanes \/ 32; k++/
