/// With a scratch that is kept, no measure allocates from the second call on.
#include "check_allocations.hpp"

#include <cstdlib>
#include <new>

std::atomic<long> allocations{0};

namespace {

void* counted(std::size_t bytes, std::size_t alignment) {
  ++allocations;
  void* p = alignment > alignof(std::max_align_t) ? std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment)
                                                  : std::malloc(bytes > 0 ? bytes : 1);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}

} // namespace

void* operator new(std::size_t bytes) { return counted(bytes, 1); }
void* operator new[](std::size_t bytes) { return counted(bytes, 1); }
void* operator new(std::size_t bytes, std::align_val_t alignment) { return counted(bytes, static_cast<std::size_t>(alignment)); }
void* operator new[](std::size_t bytes, std::align_val_t alignment) { return counted(bytes, static_cast<std::size_t>(alignment)); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

using namespace dalib;
using namespace allocation_checks;

namespace {

TEST_CASE("measures of pairs allocate nothing from the second call on") {
  for (const Eigen::Index n : {40, 300}) { // both ways of the pairwise engine
    const matrix zs = matrix::Random(n, 8), zt = matrix::Random(n - 6, 8).array() + 0.3f;
    matrix gs(n, 8), gt(n - 6, 8);
    const gradients out{gs, gt};
    check("mean rule", mmd{kernel::gaussian_ladder{}}, out, zs, zt);
    check("median rule", mmd{kernel::gaussian{bandwidth::median{}}}, out, zs, zt);
    check("several statistics", mmd{kernel::gaussian{} + 0.5 * kernel::linear{} + kernel::laplacian_l1{}}, out, zs, zt);
    check("linear", mmd{kernel::linear{}}, out, zs, zt);
    check("rows taken as double", mmd{kernel::polynomial{}}, out, matrix(zs.array() + 9.f), matrix(zt.array() + 9.f));
    check("cosine", mmd{kernel::cosine{}, estimator::biased{}}, out, zs, zt);
    check("linear time", mmd{kernel::gaussian{}, estimator::linear_time{}}, out, zs, zt);
    check("block", mmd{kernel::gaussian{}, estimator::block{8}}, out, zs, zt);
    const matrix as_many = matrix::Random(n, 8);
    matrix g_as_many(n, 8);
    check("ring", mmd{kernel::gaussian{}, compat::ring{}}, gradients{gs, g_as_many}, zs, as_many);
    check("weighted_mmd", weighted_mmd{kernel::gaussian_ladder{}, estimator::unbiased{}, compat::quadratic_program{}}, out, zs, zt);
    matrix ps(n, 8), pt(n - 6, 8);
    check("joint_mmd", joint_mmd{}, layer_gradients<float, 2>{layers(gs, ps), layers(gt, pt)}, layers(zs, zs), layers(zt, zt));
  }
}

TEST_CASE("losses of class scores allocate nothing from the second call on") {
  const Eigen::Index n = 700, classes = 11;
  const matrix a = matrix::Random(n, classes), b = matrix::Random(n, classes), l = matrix::Random(n, 1), k = matrix::Random(n, 1);
  matrix g(n, classes), h(n, classes), gl(n, 1), gk(n, 1);
  check("domain_adversarial, mean", domain_adversarial<>{}, gradients{gl, gk}, l, k);
  check("domain_adversarial, sum", domain_adversarial<reduction::sum>{}, gradients{gl, gk}, l, k);
  check("classifier_discrepancy", classifier_discrepancy{}, gradients{g, h}, a, b);
  check("classifier_discrepancy, sum", classifier_discrepancy{scores::probabilities{}, reduction::sum{}}, gradients{g, h}, a, b);
  check("class_balance", class_balance{}, gradient{g}, a);
  check("class_balance of probabilities", class_balance{scores::probabilities{}}, gradient{g}, matrix(a.cwiseAbs()));
  check("margin_disparity", margin_disparity{}, gradients{g, h}, a, b, b, a);
  check("margin_disparity, sum", margin_disparity{4., reduction::sum{}, compat::shifted_log_complement{}}, gradients{g, h}, a, b, b, a);
  check("conditional, plain", conditional_domain_adversarial{}, gradients{gl, gk}, l, k, a, b);
  const conditional_domain_adversarial reversed{conditioning::per_domain_entropy{}};
  check("conditional, entropy", reversed, gradients{gl, gk}, l, k, a, b);
  CHECK(after_first([&](workspace& scratch) {
          static_cast<void>(reversed.value_and_gradient(l, k, a, b, gradients{gl, gk}, gradients{g, h}, scratch));
        }) == 0);
}

TEST_CASE("values of single samples are returned in one vector, and nothing else is allocated") {
  const matrix a = matrix::Random(70, 5), b = matrix::Random(70, 5);
  const classifier_discrepancy each{scores::logits{}, reduction::none{}};
  CHECK(after_first([&](workspace& scratch) { static_cast<void>(each(a, b, scratch)); }) == 2); // two calls
}

} // namespace
