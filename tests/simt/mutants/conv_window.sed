# Cells begin a pixel too late.
# in conv_few.cu, compile conv_few.cu, plain, --direct --only conv
s/floor_div(v.top, v.stride)/floor_div(v.top + 1, v.stride)/
