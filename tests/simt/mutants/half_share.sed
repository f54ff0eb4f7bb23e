# The second share of a step of k is the first one again.
# in product_half.cuh, compile product_half.cu, plain, --only half
s/word = warp \/ 4 \* (HALF_SHARE \/ 2);/word = 0;/
