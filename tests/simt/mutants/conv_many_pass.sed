# Channels take the place of others that are still to be stored.
# in conv_many_half.cu, compile conv_many_half.cu, plain, --direct --only half
s/__syncwarp(); \/\* the pass before has been used \*\///
