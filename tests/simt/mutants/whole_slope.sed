# The slope behind batch norm is left out of its gradient.
# in joined_whole.cu, compile joined_whole.cu, plain, --only phased
s/if (t.fn < 0)/if (t.fn < 100)/
