/* View flow: the read-only canvas with its live numbers. */
import "./reporting/flow-counts.js";
import "./reporting/report-page.js";
