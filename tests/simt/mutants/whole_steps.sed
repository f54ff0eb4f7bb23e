# A tile's next step of k is read while it is being made.
# in product_half.cuh, compile joined_whole.cu, races, --only phased/5
s/__syncthreads(); \/\* the step before has been used \*\///
