# A step takes the place of one that is still used.
# in conv_few_half.cu, compile conv_few_half.cu, races, --direct --only "conv gradients" --elements 20000
s/turn ^= 1/turn ^= 0/
