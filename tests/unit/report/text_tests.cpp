#include "report/palette.hpp"
#include "report/text.hpp"
#include "report/text_metrics.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <set>
#include <string>

using namespace dalib::report;

TEST_CASE("numbers are written without locale, negative zero and exponents where none are needed") {
  CHECK(fixed(12.345, 2) == "12.35");
  CHECK(fixed(-0.001, 2) == "0.00");
  CHECK(fixed(-1.5, 0) == "-2");
  CHECK(fixed(std::nan(""), 2) == "nan");
  CHECK(fixed(-std::numeric_limits<double>::infinity(), 2) == "-inf");
  CHECK(fixed(1e300, 1) == "1.0e+300");
  CHECK(significant(0.000125, 2) == "0.00013");
  CHECK(significant(150, 4) == "150");
  CHECK(std::stod(exact(0.1 + 0.2)) == 0.1 + 0.2);
  CHECK(exact(1000) == "1000");
  CHECK(grouped(0) == "0");
  CHECK(grouped(999) == "999");
  CHECK(grouped(-1000) == "-1,000");
  CHECK(grouped(1234567) == "1,234,567");
}

TEST_CASE("durations") {
  CHECK(duration(0) == "0:00");
  CHECK(duration(59.6) == "1:00");
  CHECK(duration(725) == "12:05");
  CHECK(duration(3729) == "1:02:09");
  CHECK(duration(std::nan("")) == "-:--");
  CHECK(duration(-1) == "-:--");
  CHECK(duration(1e30) == "-:--");
}

TEST_CASE("escaped text cannot leave its element or attribute and is always valid XML") {
  CHECK(escape("a<b>&\"c\" 'd'") == "a&lt;b&gt;&amp;&quot;c&quot; &#39;d&#39;");
  CHECK(escape("\u00E9 \u2192 \U0001F600") == "\u00E9 \u2192 \U0001F600");
  CHECK(escape(std::string("a\0b\x1b[1m\x7f", 8)) == "a\uFFFDb\uFFFD[1m\uFFFD");
  CHECK(escape("\xff\xc0\xaf\xe2\x82") == "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD"); // stray, overlong and truncated sequences
  CHECK(escape("\xed\xa0\x80").find('\xed') == std::string::npos);           // a surrogate
  CHECK(escape("line\n\ttab") == "line\n\ttab");
}

TEST_CASE("display width counts code points") {
  CHECK(columns("") == 0);
  CHECK(columns("83.3 \u00B1 1.7") == 10);
  CHECK(columns("\xff\xfe") == 2);
  CHECK(text_width("MNIST", 13) > text_width("ijlft", 13));
  CHECK(text_width("abc", 26) == doctest::Approx(2 * text_width("abc", 13)));
}

TEST_CASE("neighbouring curves and classes differ in colour or dash") {
  std::set<std::string> looks;
  for (std::size_t i = 0; i < 28; ++i) looks.insert(line_color(i) + line_dash(i));
  CHECK(looks.size() == 28);
  std::set<std::string> classes;
  for (std::size_t c = 0; c < 30; ++c) classes.insert(class_color(c));
  CHECK(classes.size() == 30);
  CHECK(class_color(0).size() == 7);
}
