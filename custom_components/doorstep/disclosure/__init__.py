"""What goes out: statement, cut, package, encryption, delivery, receipt.

Here live the sentence and the digest a person approves, the cut that is released, the evidence
package, its way to the agency and the agency's answer. Whether something may go out is decided by
people and checked by the inbox; what was recorded is footage's affair. Nothing here imports Home
Assistant, and nothing here sends a byte before the decision is on disk.
"""
