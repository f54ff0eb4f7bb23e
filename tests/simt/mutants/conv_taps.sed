# Windows of cells reach beyond the filter.
# in conv_few.cu, compile conv_few.cu, plain, --direct --only conv
s/r < v.r \&\& s < v.s \&\& c/r < v.r \&\& c/
