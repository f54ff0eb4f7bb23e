# The bias correction is one step behind.
# in update.cu, compile update.cu, plain, --only optimizer
s/a.per_iteration + a.offset + 1)/a.per_iteration + a.offset)/
