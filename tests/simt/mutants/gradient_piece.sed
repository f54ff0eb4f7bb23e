# A piece is found only behind its first line.
# in update.cu, compile update.cu, plain, --only optimizer
s/piece\[found + step\].line <= line/piece[found + step].line < line/
