# The last group of four is written whole.
# in random.cu, compile random.cu, asan, --only random
s/if (i + k < n) y\[i + k\]/y[i + k]/
