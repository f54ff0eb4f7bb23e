# A vector of a tile goes one row too far down.
# in product.cuh, compile product_half.cu, plain, --only half
s/const int i = int(threadIdx.x) \* V, row = first_row + i \/ TILE,/const int i = int(threadIdx.x) * V, row = first_row + i \/ TILE + (p.m > 32),/
