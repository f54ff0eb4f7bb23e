# The first chunk's part of a column is left out.
# in columns.cuh, compile joined.cu, plain, --only chain
s/int i = row; active \&\& i < a.chunks/int i = row + 1; active \&\& i < a.chunks/
