# Blocks of spread tasks are one off.
# in joined.cu, compile joined.cu, plain, --only reduce
s/int first = 1;/int first = 2;/
