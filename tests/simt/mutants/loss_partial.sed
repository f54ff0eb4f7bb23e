# One partial sum too many is added.
# in loss.cu, compile loss.cu, asan, --only loss
s/i < n; i += BLOCK) sum += partial/i <= n; i += BLOCK) sum += partial/
