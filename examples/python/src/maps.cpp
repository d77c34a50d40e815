#include "maps.hpp"

#include "borrowed.hpp"

#include "dalib/core/check.hpp"
#include "dalib/measure/maps/multilinear_map.hpp"
#include "dalib/measure/maps/randomised_multilinear_map.hpp"

#include <nanobind/stl/string.h>

namespace nb = nanobind;

namespace dalib_python {
namespace {

/// Runs f(T()) on the arrays of a map: inputs, then the result or the gradients.
template <class F>
void with_map_arrays(const char* name, const nb::tuple& inputs, const nb::tuple& outputs, const F& f) {
  borrowed all;
  scalar_choice scalar;
  static const char* const names[] = {"the features", "the class logits", "the upstream gradient"};
  std::size_t place = 0;
  for (nb::handle one : inputs) all.add(one, name, names[place++], scalar, access::read);
  for (nb::handle one : outputs) all.add(one, name, "an output", scalar, access::write);
  request r;
  r.scalar = scalar.type;
  const nb::gil_scoped_release unlocked;
  by_scalar(r, [&](auto number) -> double {
    f(number, all.views);
    return 0;
  });
}

using map_views = std::array<array, most_arrays>;

/// One randomised map for each scalar type, with the same numbers.
struct randomised_map {
  dalib::randomised_multilinear_map<float> single;
  dalib::randomised_multilinear_map<double> dual;

  template <class T>
  const auto& of() const {
    if constexpr (std::is_same_v<T, float>)
      return single;
    else
      return dual;
  }
};

template <class Map>
void map_forward(const Map& map_of, const map_views& v, auto number, int threads) {
  using T = decltype(number);
  map_of(number)(dalib::exec::openmp{threads}, v[0].read<T>(), v[1].read<T>(), v[2].write<T>());
}
template <class Map>
void map_backward(const Map& map_of, const map_views& v, auto number, int threads) {
  using T = decltype(number);
  const dalib::gradients<T> out{v[3].write<T>(), v[4].write<T>()};
  map_of(number).pull(dalib::exec::openmp{threads}, v[0].read<T>(), v[1].read<T>(), v[2].read<T>(), out);
}

} // namespace

void bind_maps(nb::module_& m) {
  m.def("multilinear_map", [](const nb::tuple& inputs, const nb::tuple& outputs, int threads) {
    with_map_arrays("multilinear_map", inputs, outputs, [&](auto number, const map_views& v) {
      map_forward([](auto) { return dalib::multilinear_map{}; }, v, number, threads);
    });
  });
  m.def("multilinear_map_pull", [](const nb::tuple& inputs, const nb::tuple& outputs, int threads) {
    with_map_arrays("multilinear_map", inputs, outputs, [&](auto number, const map_views& v) {
      map_backward([](auto) { return dalib::multilinear_map{}; }, v, number, threads);
    });
  });
  nb::class_<randomised_map>(m, "RandomisedMap")
      .def("__init__",
           [](randomised_map* self, index_t features, index_t classes, index_t dimension, std::uint64_t seed) {
             new (self) randomised_map{{features, classes, dimension, seed}, {features, classes, dimension, seed}};
           })
      .def("forward",
           [](const randomised_map& map, const nb::tuple& inputs, const nb::tuple& outputs, int threads) {
             with_map_arrays("randomised_multilinear_map", inputs, outputs, [&](auto number, const map_views& v) {
               map_forward(
                   [&](auto n) -> const auto& { return map.of<decltype(n)>(); }, v, number, threads);
             });
           })
      .def("pull",
           [](const randomised_map& map, const nb::tuple& inputs, const nb::tuple& outputs, int threads) {
             with_map_arrays("randomised_multilinear_map", inputs, outputs, [&](auto number, const map_views& v) {
               map_backward(
                   [&](auto n) -> const auto& { return map.of<decltype(n)>(); }, v, number, threads);
             });
           })
      .def("copy_matrices",
           [](const randomised_map& map, nb::handle features, nb::handle classes) { // double: both are made from these
             borrowed all;
             scalar_choice scalar;
             all.add(features, "randomised_multilinear_map", "R_f", scalar, access::write);
             all.add(classes, "randomised_multilinear_map", "R_g", scalar, access::write);
             const auto copy = [](const auto& from, const dalib::matrix_view<double>& to) {
               for (index_t i = 0; i < from.rows; ++i)
                 for (index_t j = 0; j < from.cols; ++j) to(i, j) = from(i, j);
             };
             copy(map.dual.feature_matrix(), all.views[0].write<double>());
             copy(map.dual.class_matrix(), all.views[1].write<double>());
           })
      .def("set_matrices", [](randomised_map& map, nb::handle features, nb::handle classes) {
        borrowed all;
        scalar_choice scalar;
        all.add(features, "randomised_multilinear_map", "R_f", scalar, access::read);
        all.add(classes, "randomised_multilinear_map", "R_g", scalar, access::read);
        const auto copy = [](const dalib::matrix_view<const double>& from, const auto& to) {
          dalib::require_shapes(from.rows == to.rows && from.cols == to.cols, "randomised_multilinear_map",
                                "matrices have the shapes (features, dimension) and (classes, dimension)", from, to);
          for (index_t i = 0; i < from.rows; ++i)
            for (index_t j = 0; j < from.cols; ++j) to(i, j) = static_cast<std::remove_cvref_t<decltype(to(i, j))>>(from(i, j));
        };
        copy(all.views[0].read<double>(), map.dual.feature_matrix());
        copy(all.views[1].read<double>(), map.dual.class_matrix());
        copy(all.views[0].read<double>(), map.single.feature_matrix());
        copy(all.views[1].read<double>(), map.single.class_matrix());
      });
}

} // namespace dalib_python
