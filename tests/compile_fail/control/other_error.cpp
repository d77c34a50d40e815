// expect: this sentence is printed by no compiler
template <class T>
struct needs_a_size {
  static_assert(sizeof(T) > 1, "the type must be larger than one byte");
};

template struct needs_a_size<char>;
