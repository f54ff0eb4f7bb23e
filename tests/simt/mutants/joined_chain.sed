# Tasks of a chain are different blocks'.
# in joined.cu, compile joined.cu, plain, --only phases
s/t.first = chain < 0 ? a->blocks : chain;/t.first = chain < 0 ? a->blocks : chain + int(a->bytes \/ 8 % 3);/
