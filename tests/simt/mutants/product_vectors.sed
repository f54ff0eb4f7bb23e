# What a thread makes of a tile goes one row too far down.
# in product.cuh, compile product_half.cu, plain, --only half
s/const Elements at(p, first_row, first_column, i);/const Elements at(p, first_row + (p.m > 32), first_column, i);/
