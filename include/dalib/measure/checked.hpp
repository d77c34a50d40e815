/// @file
/// Any measure with its inputs checked for NaN and infinity.
#pragma once

#include "dalib/core/check.hpp"
#include "dalib/core/gradients.hpp"

namespace dalib {

/// The same measure, which throws std::invalid_argument naming the measure, the row and the column if an input is not finite, before any
/// output is touched. Costs one more pass, O((n_s + n_t) F): `checked{mmd{...}}(zs, zt)`.
template <class Measure>
struct checked {
  Measure measure;
  static constexpr const char* name = Measure::name;

  template <sample_like ZS, sample_like ZT>
  auto operator()(const ZS& zs, const ZT& zt) const {
    check(zs, zt);
    return measure(zs, zt);
  }
  template <class Exec, sample_like ZS, sample_like ZT, class... More>
  auto operator()(const Exec& exec, const ZS& zs, const ZT& zt, More&&... more) const {
    check(zs, zt);
    return measure(exec, zs, zt, more...);
  }
  template <sample_like ZS, sample_like ZT, class T>
  T value_and_gradient(const ZS& zs, const ZT& zt, const gradients<T>& out) const {
    check(zs, zt);
    return measure.value_and_gradient(zs, zt, out);
  }
  template <class Exec, sample_like ZS, sample_like ZT, class T, class... More>
  T value_and_gradient(const Exec& exec, const ZS& zs, const ZT& zt, const gradients<T>& out, More&&... more) const {
    check(zs, zt);
    return measure.value_and_gradient(exec, zs, zt, out, more...);
  }

private:
  template <class ZS, class ZT>
  static void check(const ZS& zs, const ZT& zt) {
    require_finite(name, "the source", sample_of(zs).rows);
    require_finite(name, "the target", sample_of(zt).rows);
  }
};

template <class Measure>
checked(Measure) -> checked<Measure>;

} // namespace dalib
