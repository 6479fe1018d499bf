/* inbox.pml with head and holding cached by each publisher from one publish to the next: they are read, together and in this
   order, only when the cached values say full or held. A hold that begins later begins at or after the head that was read, so
   it can't cover a slot that the cached head has passed.

   Steps that can be left out, each of which must fail:
   ORDER=0       holding is read before head
   SETHEAD=1 is a shortcut, not a mistake: an evictor may cache its own new head without reading holding again. */
#define CACHE 1
#include "inbox.pml"
