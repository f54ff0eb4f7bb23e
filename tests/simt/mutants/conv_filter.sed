# The filter is read beyond its last output.
# in conv_many.cu, compile conv_many.cu, asan, --direct --only conv
s/first + k < v.k \&\& c < v.c/first + k <= v.k \&\& c < v.c/
