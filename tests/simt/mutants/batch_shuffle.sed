# Every batch begins where an epoch does.
# in minibatch.cuh, compile joined.cu, plain, --only data
s/uint64_t(s.offset) + uint64_t(i)/uint64_t(i)/
