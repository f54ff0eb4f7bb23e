# What a thread makes of a tile goes one row too far down.
# in product.cuh, compile product_half.cu, plain, --only half
s/const Elements at(p, t, i);/const Elements at(p, {t.thread, t.batch, t.row + (p.m > 32), t.column}, i);/
