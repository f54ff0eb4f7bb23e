# A vector's elements are remembered in one place.
# in task_program.cuh, compile joined.cu, plain, --only head
s/slots<BLOCK>()\[(step.slot \* V + k) \* BLOCK\] = y\[k\]/slots<BLOCK>()[step.slot * V * BLOCK] = y[k]/
