# More threads than the kernel was compiled for.
# in loss.cu, compile loss.cu, plain, --only loss
s/dim3(BLOCK)/dim3(2 * BLOCK)/g
