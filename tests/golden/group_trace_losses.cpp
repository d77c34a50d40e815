/// Group trace of the further losses: training loops, iteration by iteration, of a small network on the examples' tape.
#include "trace_loop.hpp"

#include "train/models/wasserstein_critic.hpp"

#include <dalib/losses.hpp>

#include <cmath>
#include <optional>

namespace {

using namespace golden;

template <class T>
using variable = ad::variable<T>;

template <class T>
struct trace_network {
  nn::image_classifier<T, nn::mlp<T>> classifier;
  std::optional<nn::domain_discriminator<T>> discriminator;
  std::optional<train::wasserstein_critic<T>> critic;

  template <class Visitor>
  void parts(Visitor&& f) {
    f("classifier", classifier);
    if (discriminator) f("domain_discri", *discriminator);
    if (critic) f("critic", *critic);
  }
};

/// Pseudo labels of SHOT: the nearest of the classes' centroids by cosine, twice.
inline std::vector<std::int64_t> pseudo_labels(const Eigen::MatrixXd& features, Eigen::MatrixXd p) {
  Eigen::MatrixXd f(features.rows(), features.cols() + 1);
  f << features, Eigen::VectorXd::Ones(features.rows());
  f.rowwise().normalize();
  std::vector<std::int64_t> labels(static_cast<std::size_t>(f.rows()));
  for (int round = 0; round < 2; ++round) {
    Eigen::MatrixXd centroids = p.transpose() * f;
    for (Eigen::Index c = 0; c < p.cols(); ++c) centroids.row(c) /= 1e-8 + p.col(c).sum();
    const Eigen::VectorXd lengths = centroids.rowwise().norm().cwiseMax(1e-300);
    p.setZero();
    for (Eigen::Index i = 0; i < f.rows(); ++i) {
      Eigen::Index best = 0;
      (centroids * f.row(i).transpose()).cwiseQuotient(lengths).maxCoeff(&best);
      labels[static_cast<std::size_t>(i)] = best;
      p(i, best) = 1;
    }
  }
  return labels;
}

template <class T>
class loss_trace {
public:
  explicit loss_trace(const test_case& test)
      : test_(test), method_(test.param<std::string>("method")), random_(1), network_(make_network()), schedule_(make_schedule()) {
    names_ = initialise(network_, test, [](const std::string& name) { return name; });
    add_optimisers(true);
  }

  outcome run() {
    if (method_ == "shot") {
      for (int i = 0; i < test_.param<int>("source_iterations"); ++i) source_step(i);
      schedule_ = make_schedule();
      optimisers_.clear();
      add_optimisers(false);
    }
    for (int i = 0; i < test_.param<int>("iterations"); ++i) step(i);
    outcome result{"examples", {{"first_gradient_checksum", first_gradients_}}, {}};
    for (const auto& [name, values] : history_) result.outputs[name] = vector_array(values);
    const std::map<std::string, array> state = state_of(network_, "");
    result.outputs["final_checksum"] = checksums(test_.param<std::vector<std::string>>("state"), state);
    for (const auto& [name, values] : state) result.outputs["final." + name] = values;
    record_predictions<T>(test_, evaluate().logits, "", result);
    return result;
  }

private:
  static array vector_array(const std::vector<double>& values) { return array(std::span<const double>(values)); }
  std::ptrdiff_t width() const { return test_.param<std::ptrdiff_t>("bottleneck_dim"); }
  T trade_off() const { return test_.param<T>("trade_off"); }

  trace_network<T> make_network() {
    const auto widths = test_.param<std::vector<std::ptrdiff_t>>("mlp");
    trace_network<T> result{{{widths.at(0), widths.at(1), widths.at(2), random_},
                             test_.param<std::ptrdiff_t>("classes"),
                             {width(), method_ != "coral", 0},
                             random_},
                            {},
                            {}};
    if (method_ == "bsp_dann") result.discriminator.emplace(width(), test_.param<std::ptrdiff_t>("hidden_size"), random_);
    if (method_ == "wdgrl") {
      result.critic.emplace(width(), test_.param<std::ptrdiff_t>("hidden_size"), random_);
      nn::set_requires_gradient(*result.critic, false);
    }
    return result;
  }
  nn::stepwise_schedule make_schedule() const {
    const auto number = [&](const char* key) { return test_.params.at(key).is_null() ? 0 : test_.param<double>(key); };
    return {test_.param<double>("lr"), number("lr_gamma"), number("lr_decay")};
  }
  void add_optimisers(bool with_head) {
    auto& net = network_.classifier;
    const auto add = [&](std::vector<nn::parameter_group<T>> groups, double momentum) {
      optimisers_.emplace_back(std::move(groups), nn::sgd_options{test_.param<double>("lr"), momentum, test_.param<bool>("nesterov"),
                                                                  test_.param<double>("weight_decay")});
    };
    if (method_ == "afn") { // equal rates, the backbone without momentum
      add({nn::group_of<T>(net.backbone)}, 0);
      add({nn::group_of<T>(net.bottleneck), nn::group_of<T>(net.head)}, 0.9);
      return;
    }
    std::vector<nn::parameter_group<T>> groups{nn::group_of<T>(net.backbone, trace_backbone_multiplier), nn::group_of<T>(net.bottleneck)};
    if (with_head) groups.push_back(nn::group_of<T>(net.head));
    if (network_.discriminator) groups.push_back(nn::group_of<T>(*network_.discriminator));
    add(std::move(groups), test_.param<double>("momentum"));
  }

  nn::classifier_output<T> evaluate() {
    const ad::no_gradient off;
    nn::set_training(network_, false);
    return network_.classifier(all_samples_of<T>(test_.input("x_t")));
  }

  /// What every update has in common: the rate, the gradients of `loss()`.
  template <class Loss>
  double update(const Loss& loss) {
    nn::set_training(network_, true);
    const double rate = schedule_.step();
    for (nn::sgd<T>& optimiser : optimisers_) {
      optimiser.learning_rate = rate;
      optimiser.clear_gradients();
    }
    nn::visit_parameters(network_, [](const std::string&, auto& p) { p.variable().clear_gradient(); });
    ad::backward(loss());
    if (first_gradients_.values.empty()) first_gradients_ = checksums(names_, gradients_of(network_, ""));
    for (nn::sgd<T>& optimiser : optimisers_) optimiser.step();
    return rate;
  }
  void record(const char* name, double value) { history_[name].push_back(value); }

  void source_step(std::ptrdiff_t i) {
    const train::batch<T> images = batch_of<T>(test_, i);
    update([&] {
      const dalib::weighted_cross_entropy loss{
          images.source_labels, {}, dalib::weighted_mean::by_count, {.smoothing = test_.param<double>("label_smoothing")}};
      const variable<T> result = loss(network_.classifier(images.source).logits);
      record("source_loss", result.item());
      return result;
    });
  }

  void step(std::ptrdiff_t i) {
    const train::batch<T> images = batch_of<T>(test_, i);
    if (method_ == "shot" && i % test_.param<int>("pseudo_every") == 0) choose_pseudo_labels();
    if (method_ == "wdgrl") train_critic(images, i);
    record("lr", update([&] { return method_ == "shot" ? target_loss(i) : joint_loss(images, i); }));
  }

  variable<T> joint_loss(const train::batch<T>& images, std::ptrdiff_t i) {
    const bool separately = method_ == "coral" || method_ == "afn" || method_ == "dsan";
    const auto [source, target] =
        train::forward_domains(network_.classifier, images, separately ? train::forwarding::separately : train::forwarding::jointly);
    const variable<T> cls = ad::cross_entropy<T>(source.logits, images.source_labels);
    const variable<T> transfer = transfer_of(source, target, images, i);
    variable<T> total = ad::add(cls, ad::scale(transfer, trade_off()));
    if (method_ == "bsp_dann") {
      const variable<T> spectral = dalib::batch_spectral_penalisation{1}(source.features, target.features);
      record("bsp_loss", spectral.item());
      total = ad::add(total, ad::scale(spectral, test_.param<T>("trade_off_bsp")));
    }
    record("cls_loss", cls.item());
    record("transfer_loss", transfer.item());
    record("total_loss", total.item());
    return total;
  }

  variable<T> transfer_of(const nn::classifier_output<T>& source, const nn::classifier_output<T>& target, const train::batch<T>& images,
                          std::ptrdiff_t i) {
    if (method_ == "coral") return dalib::coral{}(source.features, target.features);
    if (method_ == "afn") return dalib::stepwise_feature_norm{test_.param<double>("delta")}(source.features, target.features);
    if (method_ == "mcc") return dalib::minimum_class_confusion{test_.param<double>("temperature"), 1e-5}(target.logits);
    if (method_ == "bnm") return dalib::batch_nuclear_norm{}(target.logits);
    if (method_ == "dsan")
      return dalib::local_mmd{images.source_labels}(source.features, target.features, ad::detach(ad::softmax(target.logits)));
    if (method_ == "wdgrl")
      return ad::subtract(ad::mean((*network_.critic)(source.features)), ad::mean((*network_.critic)(target.features)));
    if (method_ != "bsp_dann") unknown("method", method_);
    auto discriminator = [&](const variable<T>& f) { return (*network_.discriminator)(f); };
    dalib::domain_adversarial_loss loss{
        discriminator, dalib::warm_start_reversal{.iteration = test_.param<long>("grl_iter_start") + static_cast<long>(i)}};
    const auto result = loss(source.features, target.features);
    record("domain_accuracy", result.accuracy);
    return result.loss;
  }

  void train_critic(const train::batch<T>& images, std::ptrdiff_t i) {
    const auto features = [&](const variable<T>& x) {
      const ad::no_gradient off;
      nn::set_training(network_, false);
      return network_.classifier(x).features;
    };
    const variable<T> f_s = features(images.source), f_t = features(images.target);
    const array& alpha = test_.input("alpha");
    const auto steps = test_.param<std::ptrdiff_t>("critic_steps"), rows = alpha.cols() / steps;
    const dalib::critic_loss loss(test_.param<double>("gamma"));
    double last = 0;
    for (std::ptrdiff_t k = 0; k < steps; ++k) {
      const auto first = alpha.values.begin() + (i * steps + k) * rows;
      const std::vector<T> shares(first, first + rows);
      last = static_cast<double>(network_.critic->descend(loss, f_s, f_t, shares, test_.param<double>("critic_lr")));
    }
    record("critic_loss", last);
  }

  void choose_pseudo_labels() {
    const nn::classifier_output<T> all = evaluate();
    pseudo_ = pseudo_labels(all.features.value().template cast<double>(), ad::softmax(all.logits).value().template cast<double>());
  }
  variable<T> target_loss(std::ptrdiff_t i) {
    const train::batch<T> images = batch_of<T>(test_, i);
    const std::vector<std::int64_t> labels = test_.input("y_t").integers();
    double right = 0;
    for (std::size_t k = 0; k < labels.size(); ++k) right += labels[k] == pseudo_[k] ? 1 : 0;
    const array& indices = test_.input("batch_t");
    std::vector<std::int64_t> own;
    for (std::ptrdiff_t k = 0; k < indices.cols(); ++k) own.push_back(pseudo_[static_cast<std::size_t>(indices.at(i, k))]);
    const variable<T> logits = network_.classifier(images.target).logits;
    const variable<T> cls = ad::cross_entropy<T>(logits, own), transfer = dalib::information_maximisation{1e-5}(logits);
    const variable<T> total = ad::add(ad::scale(cls, test_.param<T>("cls_par")), ad::scale(transfer, trade_off()));
    record("pseudo_accuracy", 100 * right / static_cast<double>(labels.size()));
    record("cls_loss", test_.param<double>("cls_par") * static_cast<double>(cls.item()));
    record("transfer_loss", transfer.item());
    record("total_loss", total.item());
    return total;
  }

  const test_case& test_;
  std::string method_;
  dalib::io::random_generator random_; ///< of no matter: every parameter is overwritten by the weight rule
  trace_network<T> network_;
  nn::stepwise_schedule schedule_;
  std::vector<std::string> names_;
  std::vector<nn::sgd<T>> optimisers_;
  std::vector<std::int64_t> pseudo_;
  array first_gradients_;
  trace_history history_;
};

template <class T>
std::vector<outcome> run(const test_case& test) {
  if (test.param<std::string>("backbone") != "mlp") unknown("backbone", test.param<std::string>("backbone"));
  return {loss_trace<T>(test).run()};
}

const claim_group group("trace", both_precisions([]<class T>(const test_case& test) { return run<T>(test); },
                                                 [](const test_case& test) { return test.method == "training loop"; }));

} // namespace
