# A tile's sums are those of all groups of threads but the last.
# in product.cuh, compile product.cu, plain, --only fusion
s/for (int s = 1; s < SLICES; s++)/for (int s = 1; s < SLICES - 1; s++)/
