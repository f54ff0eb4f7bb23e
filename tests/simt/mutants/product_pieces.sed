# Of what a thread has of pieces at once, only the first is another one each time.
# in product.cuh, compile product_half.cu, plain, --only maxout
s/const Elements at(p, t, min(first + e \* BLOCK, all - 1));/const Elements at(p, t, min(first, all - 1));/
