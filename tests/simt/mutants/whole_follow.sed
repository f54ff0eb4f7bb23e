# What follows batch norm is left out.
# in joined_whole.cu, compile joined_whole.cu, plain, --only phased
s/t.fn == FN_relu/t.fn == -2/
s/t.fn == FN_leaky_relu/t.fn == -2/
