# A vector may reach beyond its piece.
# in update.cu, compile update.cu, asan, --only optimizer
s/if (aligned && at + V <= n) {/if (aligned \&\& at < n) {/
