// Whether the header and the library that were found belong together.
#include <hiredis/hiredis.h>
#include <hiredis/read.h>

int main() { return laid_out() == HIREDIS_MINOR ? 0 : 1; }
