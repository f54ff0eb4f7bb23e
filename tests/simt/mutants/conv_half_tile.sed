# A tile is kept while the one before it is used.
# in conv_weight_half.cu, compile conv_weight_half.cu, races, --direct --only "conv gradients" --elements 20000
s/__syncthreads(); \/\* the tile before has been used \*\///
