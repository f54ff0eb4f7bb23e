# A bias gets every other pixel.
# in conv_weight_half.cu, compile conv_weight_half.cu, plain, --direct --only conv
s/0x3f803f80u/0x00003f80u/
