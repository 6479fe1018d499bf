/* Waking in futex mode. One reader, two publishers, of which the first may die between any two steps (DIE=1). Events are a
   count; the wake word is a counter and a bit for asleep. The timer of one second is left out, so that a lost wake-up shows.

   Shown: when nothing moves any more the reader has taken all, but for the last event of one that died before its wake-up.

   Steps that can be left out, each of which must fail:
   BUMP=0        publishers only read the word: the wake-up between the reader's last look and its FUTEX_WAIT is lost
   RESET=1       publishers clear the bit: one that dies before its FUTEX_WAKE leaves the reader asleep for all later ones
   LOOKONCE=1    the reader does not look again after the announcement */
#ifndef BUMP
#define BUMP 1
#endif
#ifndef RESET
#define RESET 0
#endif
#ifndef LOOKONCE
#define LOOKONCE 0
#endif
#ifndef MSGS
#define MSGS 2
#endif
#ifndef DIE
#define DIE 1
#endif
byte events = 0, taken = 0, count = 0, last = 0;
bit asleep = 0, parked = 0;
bool done[3], dead1 = 0;

inline maybe_die() { if :: me == 1 && DIE -> dead1 = 1; goto out :: true fi }

proctype publisher(byte me) {
  byte k = 0; bit seen;
  do
  :: k == MSGS -> break
  :: else ->
     atomic { events++; last = me };                        /* commit, full fence */
     maybe_die();
     seen = asleep;
     if
     :: seen ->
#if RESET
        atomic { asleep = 0; count++ };
#elif BUMP
        count++;
#endif
        maybe_die();
        parked = 0                                          /* FUTEX_WAKE */
     :: else
     fi;
     k++
  od;
out: done[me] = 1
}

proctype reader() {
  byte c;
end_r:
  do
  :: taken < events -> taken = events; asleep = 0
  :: else ->
     atomic { c = count; asleep = 1 };                      /* announce, full fence */
     if
     :: taken < events && !LOOKONCE -> asleep = 0
     :: else ->
        atomic { if :: count == c && asleep -> parked = 1 :: else fi };      /* FUTEX_WAIT compares with the word as announced */
end_park:
        (parked == 0);
        asleep = 0
     fi
  od
}

init {
  atomic { run publisher(1); run publisher(2); run reader() };
  (done[1] && done[2]);
  timeout;
  assert(taken == events || (dead1 && last == 1))
}
