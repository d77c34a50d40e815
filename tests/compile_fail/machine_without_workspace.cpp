// expect: dalib: dalib::backend of this memory does not name one of the types `execution`, `workspace`, `vector<T>`, `summary<T>`
#include <dalib/dalib.hpp>

struct my_memory {};
template <>
struct dalib::backend<my_memory> {};

int main() {
  dalib::require_execution<dalib::exec::serial, my_memory>();
  return 0;
}
