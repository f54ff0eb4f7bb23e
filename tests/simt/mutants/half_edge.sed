# Lines of an operand are read that it does not have.
# in product_half.cuh, compile product_half.cu, asan, --only half
s/left = line < lines ? k - step : 0;/left = k - step;/
