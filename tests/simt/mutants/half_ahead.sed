# A step of k is read while it is being made.
# in product_half.cuh, compile product_half.cu, races, --only half --elements 3000
s/__syncthreads(); \/\* the step before has been used \*\///
