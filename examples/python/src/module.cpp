/// @file
/// What Python sees: plans, the kernels and estimators they are made of, and arrays read without a copy.
#include "borrowed.hpp"
#include "inference.hpp"
#include "maps.hpp"

#include "dalib/config.hpp"
#include "dalib/core/check.hpp"
#include "dalib/measure/warm_start_reversal.hpp"

#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <omp.h>

namespace nb = nanobind;
using namespace nb::literals;

namespace dalib_python {
namespace {

/// A plan with its name, for messages, and the states that its bandwidths write to, which it keeps alive.
struct named_plan {
  plan body;
  std::string name;
  std::vector<std::string> inputs;
  nb::list states;
};

void require_finite(const request& r, const named_plan& p) {
  by_scalar(r, [&](auto number) -> double {
    using T = decltype(number);
    for (std::size_t i = 0; i < r.inputs.size(); ++i) dalib::require_finite(p.name.c_str(), p.inputs.at(i).c_str(), r.inputs[i].read<T>());
    return 0;
  });
}

/// What a call has besides its inputs.
struct call_options {
  nb::handle weights, outputs, values, labels;
  double scale;
  int threads;
  bool check;
};

using label_array = nb::ndarray<const std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

double run_plan(const named_plan& p, const nb::tuple& inputs, const call_options& o) {
  borrowed in, out;
  borrowed_array weight_buffers[2], value_buffer;
  scalar_choice scalar;
  const char* name = p.name.c_str();
  std::size_t place = 0;
  for (nb::handle one : inputs) {
    in.add(one, name, place < p.inputs.size() ? p.inputs[place] : "an input", scalar, access::read);
    ++place;
  }
  request r;
  if (!o.weights.is_none()) {
    const nb::tuple both = nb::cast<nb::tuple>(o.weights);
    for (std::size_t i = 0; i < 2; ++i)
      if (!both[i].is_none())
        r.weights[i] = weight_buffers[i].borrow(both[i], {name, i == 0 ? "weights[0]" : "weights[1]", access::vector}, scalar);
  }
  if (!o.outputs.is_none())
    for (nb::handle one : nb::cast<nb::tuple>(o.outputs)) out.add(one, name, "a gradient", scalar, access::write);
  if (!o.values.is_none()) r.values = value_buffer.borrow(o.values, {name, "the values", access::write}, scalar);
  std::array<label_array, 2> labels;
  if (!o.labels.is_none()) {
    std::size_t which = 0;
    for (nb::handle one : nb::cast<nb::tuple>(o.labels)) {
      labels.at(which) = nb::cast<label_array>(one);
      r.labels.at(which) = {labels.at(which).data(), labels.at(which).size()};
      ++which;
    }
  }
  r.scalar = scalar.type;
  r.threads = o.threads;
  r.gradient = !o.outputs.is_none();
  r.scale = o.scale;
  r.inputs = in.all();
  r.outputs = out.all();
  const nb::gil_scoped_release unlocked;
  if (o.check) require_finite(r, p);
  return p.body.run(p.body, r);
}

/// A new tensor of x's kind.
nb::object empty_like(nb::handle x) {
  static PyObject* const make = nb::object(nb::module_::import_("torch").attr("empty_like")).release().ptr();
  PyObject* const made = PyObject_CallOneArg(make, x.ptr());
  if (made == nullptr) throw nb::python_error();
  return nb::steal(made);
}

/// Value and new gradients of PyTorch's tensors: (value, gradient or None, ...). `places` are the inputs that have gradients, `wanted` says
/// of which they are. None if a tensor is not on the CPU, or not of float or double, or not of the first one's type: the caller converts.
nb::object differentiate(const named_plan& p, const nb::tuple& inputs, const nb::tuple& places, const nb::tuple& wanted, int threads) {
  const exchange_table* const table = exchange_table::of_torch();
  if (table == nullptr) return nb::none();
  exchanged_tensor first{}, other;
  for (nb::handle one : inputs) {
    exchanged_tensor& t = first.data == nullptr && first.shape == nullptr ? first : other;
    if (!table->read(one, t) || !t.on_cpu() || !(t.is_float32() || t.is_float64()) || t.bits != first.bits) return nb::none();
  }
  const std::size_t count = nb::len(places);
  nb::tuple outputs = nb::steal<nb::tuple>(PyTuple_New(static_cast<Py_ssize_t>(count)));
  nb::tuple answer = nb::steal<nb::tuple>(PyTuple_New(static_cast<Py_ssize_t>(count + 1)));
  for (std::size_t i = 0; i < count; ++i) {
    nb::object made = nb::none();
    if (wanted[i].is(nb::handle(Py_True))) made = empty_like(inputs[nb::cast<std::size_t>(places[i])]);
    PyTuple_SET_ITEM(outputs.ptr(), static_cast<Py_ssize_t>(i), nb::object(made).release().ptr());
    PyTuple_SET_ITEM(answer.ptr(), static_cast<Py_ssize_t>(i + 1), made.release().ptr());
  }
  bool any = false;
  for (nb::handle one : outputs) any = any || !one.is_none();
  const nb::object nothing = nb::none(), targets = any ? nb::object(outputs) : nothing;
  const double value = run_plan(p, inputs, {nothing, targets, nothing, nothing, 1, threads, false});
  PyTuple_SET_ITEM(answer.ptr(), 0, PyFloat_FromDouble(value));
  return answer;
}

any_bandwidth bandwidth_from(const nb::tuple& t, nb::list& states) {
  any_bandwidth result;
  result.kind = static_cast<any_bandwidth::kind_type>(nb::cast<int>(t[0]));
  result.number = nb::cast<double>(t[1]);
  if (nb::len(t) > 2) {
    result.momentum = nb::cast<double>(t[2]);
    result.state = nb::cast<dalib::bandwidth::running_state*>(t[3]);
    states.append(t[3]);
  }
  return result;
}

/// From the dictionary that dalib_cpp/kernel.py makes.
kernel_choice kernel_from(const nb::dict& d, nb::list& states) {
  kernel_choice k;
  k.kind = static_cast<family>(nb::cast<int>(d["family"]));
  const auto number = [&](const char* key, double& to) {
    if (d.contains(key)) to = nb::cast<double>(d[key]);
  };
  number("first_alpha", k.first_alpha);
  number("factor", k.factor);
  number("linear_weight", k.linear_weight);
  number("polynomial_weight", k.polynomial_weight);
  number("gamma", k.polynomial.gamma);
  number("coef0", k.polynomial.coef0);
  number("scale", k.l1_scale);
  if (d.contains("degree")) k.polynomial.degree = nb::cast<int>(d["degree"]);
  if (d.contains("count")) k.count = nb::cast<int>(d["count"]);
  if (d.contains("bandwidth")) k.bandwidth = bandwidth_from(nb::cast<nb::tuple>(d["bandwidth"]), states);
  if (d.contains("address")) {
    k.user = reinterpret_cast<c_function>(nb::cast<std::uintptr_t>(d["address"]));
    k.user_numbers = nb::cast<std::vector<double>>(d["numbers"]);
  }
  if (d.contains("terms"))
    for (nb::handle one : nb::cast<nb::list>(d["terms"])) { // (kind, closes, shape, weight, bandwidth)
      const nb::tuple t = nb::cast<nb::tuple>(one);
      k.expression.add({static_cast<radial_kind>(nb::cast<int>(t[0])), nb::cast<bool>(t[1]), nb::cast<double>(t[2]), nb::cast<double>(t[3]),
                        bandwidth_from(nb::cast<nb::tuple>(t[4]), states)});
    }
  return k;
}

plan::function function_for(const std::string& name, const std::vector<kernel_choice>& kernels) {
  if (name == "weighted_mmd") return weighted_mmd_for(kernels.at(0).kind);
  if (name == "mmd") return mmd_for(kernels.at(0).kind);
  if (name == "kernel_matrix") return kernel_matrix_for(kernels.at(0).kind);
  if (name == "kernel_matrix_gradient") return kernel_matrix_gradient_for(kernels.at(0).kind);
  if (name == "joint_mmd") return joint_mmd_for(kernels);
  for (const measure_entry& one : measures())
    if (name == one.name) return one.run;
  throw std::invalid_argument("there is no measure " + name);
}

/// A test: `options` has members of test_request.
nb::dict infer(const std::string& name, const nb::tuple& inputs, const nb::list& kernels, const nb::dict& options) {
  test_request r;
  r.name = name;
  nb::list states;
  for (nb::handle one : kernels) r.kernels.push_back(kernel_from(nb::cast<nb::dict>(one), states));
  borrowed all;
  scalar_choice scalar;
  static const char* const names[] = {"x", "y", "the points"};
  std::size_t place = 0;
  for (nb::handle one : inputs) all.add(one, name.c_str(), names[place++], scalar, access::read);
  if (scalar.type != scalar_type::float64) throw nb::type_error((name + ": rows of tests are float64").c_str());
  r.inputs = all.all();
  const auto read = [&](const char* key, auto& to) {
    if (options.contains(key)) to = nb::cast<std::remove_reference_t<decltype(to)>>(options[key]);
  };
  read("threads", r.threads);
  read("alpha", r.alpha);
  read("draws", r.draws);
  read("seed", r.seed);
  read("keep_null", r.keep_null);
  read("biased", r.biased);
  read("form", r.form);
  read("length", r.length);
  read("kernel_count", r.kernel_count);
  read("numbers", r.numbers);
  nb::ndarray<const std::int64_t, nb::ndim<2>, nb::c_contig, nb::device::cpu> permutations;
  nb::ndarray<const double, nb::ndim<2>, nb::c_contig, nb::device::cpu> weights;
  const auto given = [&](const char* key, auto& held, array& to) {
    if (!options.contains(key)) return;
    held = nb::cast<std::remove_reference_t<decltype(held)>>(options[key]);
    using element = std::remove_const_t<std::remove_pointer_t<decltype(held.data())>>;
    to = {const_cast<element*>(held.data()), static_cast<index_t>(held.shape(0)), static_cast<index_t>(held.shape(1)),
          static_cast<index_t>(held.shape(1)), 1};
  };
  given("permutations", permutations, r.permutations);
  given("weights", weights, r.weights);
  test_answer found;
  {
    const nb::gil_scoped_release unlocked;
    found = run_test(r);
  }
  nb::dict answer;
  answer["statistic"] = found.statistic;
  answer["p_value"] = found.p_value;
  answer["threshold"] = found.threshold;
  answer["reject"] = found.reject;
  answer["null_sample"] = found.null_sample;
  answer["warning"] = found.warning;
  answer["values"] = found.values;
  nb::dict details;
  for (const auto& [key, number] : found.details) details[key] = number;
  answer["details"] = details;
  return answer;
}

} // namespace

NB_MODULE(DALIB_PYTHON_MODULE, m) {
  nb::set_leak_warnings(false); // plans are kept until the interpreter ends
  const int version[] = {DALIB_VERSION_MAJOR, DALIB_VERSION_MINOR, DALIB_VERSION_PATCH};
  m.attr("version") = std::to_string(version[0]) + "." + std::to_string(version[1]) + "." + std::to_string(version[2]);

  nb::class_<dalib::bandwidth::running_state>(m, "RunningState")
      .def(nb::init<>())
      .def_rw("value", &dalib::bandwidth::running_state::value)
      .def_rw("updates", &dalib::bandwidth::running_state::updates)
      .def_rw("training", &dalib::bandwidth::running_state::training)
      .def("__getstate__", [](const dalib::bandwidth::running_state& s) { return nb::make_tuple(s.value, s.updates, s.training); })
      .def("__setstate__", [](dalib::bandwidth::running_state& s, const nb::tuple& t) {
        new (&s) dalib::bandwidth::running_state{nb::cast<double>(t[0]), nb::cast<long>(t[1]), nb::cast<bool>(t[2])};
      });

  nb::class_<named_plan>(m, "Plan")
      .def(
          "__init__",
          [](named_plan* self, const std::string& name, const std::vector<std::string>& inputs, const nb::list& kernels,
             std::tuple<int, index_t, std::uint64_t> estimator, int reduction, const nb::tuple& conditioning,
             const std::vector<double>& numbers) {
            new (self) named_plan{{}, name, inputs, {}};
            plan& body = self->body;
            for (nb::handle one : kernels) body.kernels.push_back(kernel_from(nb::cast<nb::dict>(one), self->states));
            body.chosen.estimator = {static_cast<estimator_choice::kind_type>(std::get<0>(estimator)), std::get<1>(estimator),
                                     std::get<2>(estimator)};
            body.chosen.reduction = static_cast<reduction_choice>(reduction);
            body.chosen.conditioning = {static_cast<any_conditioning::kind_type>(nb::cast<int>(conditioning[0])),
                                        nb::cast<bool>(conditioning[1]), nb::cast<double>(conditioning[2])};
            body.chosen.numbers = numbers;
            body.run = function_for(name, body.kernels);
          },
          "name"_a, "inputs"_a, "kernels"_a, "estimator"_a, "reduction"_a, "conditioning"_a, "numbers"_a)
      .def(
          "run",
          [](const named_plan& p, const nb::tuple& inputs, nb::handle weights, nb::handle outputs, nb::handle values, double scale,
             int threads, bool check, nb::handle labels) {
            return run_plan(p, inputs, {weights, outputs, values, labels, scale, threads, check});
          },
          "inputs"_a, "weights"_a.none(), "outputs"_a.none(), "values"_a.none(), "scale"_a, "threads"_a, "check"_a,
          "labels"_a.none() = nb::none())
      .def("differentiate", differentiate);

  m.def("infer", infer, "name"_a, "inputs"_a, "kernels"_a, "options"_a);

  m.def("measures", [] {
    nb::list result;
    for (const measure_entry& one : measures()) {
      nb::list inputs, parameters, labels;
      for (const char* name : one.inputs) inputs.append(name);
      for (const char* name : one.labels) labels.append(name);
      for (const auto& [name, number] : one.parameters) parameters.append(nb::make_tuple(name, number));
      result.append(nb::make_tuple(one.name, inputs, one.differentiable, parameters, one.has_reduction, one.has_conditioning, one.values_of,
                                   labels, one.documentation));
    }
    return result;
  });

  m.def("shape", [](nb::handle object, const char* measure, const char* name) {
    borrowed_array borrowed_one;
    scalar_choice scalar;
    const array view = borrowed_one.borrow(object, {measure, name, access::read}, scalar);
    return nb::make_tuple(view.rows, view.cols, scalar.type == scalar_type::float32 ? "float32" : "float64");
  });

  bind_maps(m);
  m.def("reversal_coefficient", [](double alpha, double low, double high, long iterations, long iteration) {
    return dalib::warm_start_reversal{alpha, low, high, iterations, iteration}.coefficient();
  });
  m.def("max_threads", [] { return omp_get_max_threads(); });
}

} // namespace dalib_python
