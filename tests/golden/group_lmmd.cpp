/// Groups lmmd and can_cdd: discrepancies by class.
#include "loss_cases.hpp"

#include <dalib/compat/clipped_ladder.hpp>

namespace {

using namespace golden;

/// b of the ladder on these samples.
template <class T>
double bandwidth_of(const test_case& test) {
  const auto x = dense_input<T>(test, "z_s"), y = dense_input<T>(test, "z_t");
  dalib::workspace scratch;
  const dalib::engine::joint_sample<T> data{dalib::sample_of(x), dalib::sample_of(y)};
  return dalib::engine::squared_scale_of(dalib::exec::serial{}, dalib::detail::pooled_scale{static_cast<double>(data.rows())}, data,
                                         scratch);
}

template <class T>
std::vector<outcome> run(const test_case& test) {
  if (test.method != "LMMD") unknown("method", test.method);
  const auto mask = test.param<std::string>("mask");
  if (mask != "code" && mask != "source") unknown("mask", mask);
  const double fixed = test.params.at("fix_sigma").is_null() ? 0 : test.param<double>("fix_sigma");
  const std::vector<std::int64_t> labels = test.input("y_s").integers();
  const dalib::local_mmd loss{labels, mask == "code" ? dalib::local_classes::shared : dalib::local_classes::source, fixed};
  const std::ptrdiff_t classes = test.input("p_t").cols();
  const auto w = loss.weights(dense_input<T>(test, "p_t"));
  return through_kinds<T>([&]<class Tensor>(tag<Tensor>) {
    const array &a = test.input("z_s"), &b = test.input("z_t");
    Tensor x(a), y(b), p(test.input("p_t")), gx(unwritten_like(a)), gy(unwritten_like(b));
    const T value = loss.value_and_gradient(x.get(), y.get(), p.get(), dalib::gradients{gx.get(), gy.get()});
    require_same_value(loss(x.get(), y.get(), p.get()), value);
    return outputs_map{{"loss", scalar(value)},
                       {"weight_s", array({a.rows(), classes}, w.source)},
                       {"weight_t", array({b.rows(), classes}, w.target)},
                       {"classes_used", array(static_cast<double>(w.used))},
                       {"bandwidth", array(fixed > 0 ? fixed : bandwidth_of<T>(test))},
                       {"grad.z_s", gx.read()},
                       {"grad.z_t", gy.read()}};
  });
}

template <class T, class Ladder>
std::vector<outcome> run_contrast(const test_case& test, dalib::contrast terms) {
  const std::vector<std::int64_t> y_s = test.input("y_s").integers(), y_t = test.input("y_t").integers();
  const auto classes = test.param<std::ptrdiff_t>("C");
  const dalib::contrastive_domain_discrepancy<Ladder> loss{y_s, y_t, classes, terms};
  const std::vector<double> d = loss.discrepancies(dense_input<T>(test, "z_s"), dense_input<T>(test, "z_t"));
  double intra = 0, all = 0;
  for (std::ptrdiff_t c = 0; c < classes; ++c) intra += d[static_cast<std::size_t>(c * classes + c)];
  for (const double one : d) all += one;
  const auto count = static_cast<double>(classes);
  return run_two<T>(test, "z_s", "z_t", loss,
                    {{"intra", array(intra / count)},
                     {"inter", array((all - intra) / (count * (count - 1)))},
                     {"discrepancy", array({classes, classes}, d)}});
}

template <class T>
std::vector<outcome> run_cdd(const test_case& test) {
  if (test.method != "CDD" && test.method != "CDD, intra-class part") unknown("method", test.method);
  const auto terms = test.method == "CDD" ? dalib::contrast::full : dalib::contrast::intra_class;
  return test.param<bool>("clip") ? run_contrast<T, dalib::compat::clipped_ladder>(test, terms)
                                  : run_contrast<T, dalib::contrast_ladder>(test, terms);
}

const claim_group lmmd("lmmd", both_precisions([]<class T>(const test_case& test) { return run<T>(test); }));
const claim_group cdd("can_cdd", both_precisions([]<class T>(const test_case& test) { return run_cdd<T>(test); }));

} // namespace
