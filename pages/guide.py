"""Guide: how to read the pictures, the formula behind them, and what they do not tell."""

import streamlit as st

from explorer.ui.frame import framed, main

READING = r"""
### Reading the pictures
A head gives every token a row of **attention weights**: how its attention is shared out over all
tokens. The weights of a row sum to 1, unless the model has a *sink*, which takes a part of each row for
no token (gpt-oss): then that part is named. The token that looks is the **query**, the tokens that it
may look at are the **keys**. Layers, heads and positions count from 0.

- **Heads**: one small picture for each head. Point to preview, click to choose, shift-click to add
  another head of the same layer, click a layer’s number for all its heads. The chosen ones are in
  colour. With a word pinned, each picture shows where that word looks in its head; with words pinned
  on both sides, how strongly the head connects them, and the heads that do so most are named.
- **Flow**: the same weights as lines, from the query to the key. *Lines hold 90 %* keeps, for each
  query, the fewest lines that add up to 90 % of its attention. Two columns, or two lines of text:
  Chinese, Japanese and Korean start as lines, Arabic and Hebrew as lines from right to left.
- **Heatmap**: rows are queries, columns are keys. For longer texts zoom with +, − and 0, with Ctrl
  and the wheel or with two fingers, and drag to move; the corner shows where you are.
- **Reading view**: your text, shaded by where a word looks, or by who looks at it.
- **Layers as a path**: one column for the input and one after each layer. From an output it follows
  attention down to the input (rollout, below). Open it under the other pictures.

Under every picture the same content stands as a table, to sort and to copy.
"""

CHOOSING = r"""
### Choosing words
Everything is linked: point at a token anywhere and it lights up everywhere; click pins it. A drag
picks a phrase in the text, a stretch of one side of the flow, or a block of the heatmap; with Shift,
or with *Pick several*, a click adds. In the text, Ctrl picks the other side: first who looks, then
with Ctrl what is looked at. Of a pair of texts, A → B pins all words of one and all of the other.

For several words, what they give is **averaged** and what they get is **added**: the number of a
group is the mean, over the words that look, of the sum over the words that are looked at.

Escape lets go, Ctrl+Z takes a step back. Arrow keys walk through a picture that has the focus, with
Shift they stretch the choice, Enter pins it. The line under the sentence says what kind of head it
is: a habit is named from 30 % of the attention on; *sharp* is an entropy below a third of the
possible, *broad* one above three quarters.
"""

SWITCHES = r"""
### What the switches do
- **Word pieces / words**: BERT cuts rare words into pieces (*Love*, *##lace*). In words, the
  attention *to* a word is the sum over its pieces, the attention *from* it their average, so that
  rows still sum to 1 (Clark et al. 2019).
- **Special tokens**: [CLS] and [SEP] stand in no text, yet take a large part of the attention.
  *Hidden* leaves the other weights as they are; *hidden, rescaled* divides each row by what remains.
- **Colour scale**: *percentile* gives the full colour to the 98th percentile of the weights on
  ordinary tokens, *per row* to the largest of each row, *absolute* to a weight of 1.
"""

PAGES = r"""
### The other pages
- **Step by step** follows one query through one head: its vector, its query, key and value, the scores,
  the division by $\sqrt{d_k}$, the mask, softmax, the mixed values, the joined heads and the output map.
  Every number is the model’s; the sums are repeated in your browser, and the page says how far they are
  from the model’s own weights. Click a key to see its products, a cell of Q, K, V or the output to see the
  sum behind it.
- **Train** shows the from-scratch layer while it learns a task. Data and first weights come from a seed;
  one sequence in eight is never learned from, and accuracy is measured on those. *Chance* is what always
  giving the most frequent answer would reach. *Near the ideal* is the share of a head’s attention that
  goes where the answer stands. A layer may solve a task without looking there: then both are told.
- **Compare** lays two runs side by side. Words are the common unit: tokens of two tokenizers are matched
  by the characters they cover, an edited text word by word, and what has no counterpart is left out and
  named. The distance of two heads is the Jensen–Shannon divergence of their rows, averaged over the common
  words, after each row was divided by what it gives to them: 0 bits for equal heads, 1 bit for heads that
  never look at the same word.
- **Heads** profiles every head: how much of its attention, averaged over all queries, goes to the token
  before, to [CLS], to the same word elsewhere and so on, how sharp it is and how far it looks. Its *kind* is
  found by rules that a reader can check (from 0.5 of the attention on one offset, from 0.6 on special tokens
  or on one token, from 0.9 of the possible entropy); the evidence stands beside it. Point at two words to
  find the heads that look from one to the other: beside each stands what all other words that may look
  there give to that word, and what they give at the same distance, because a head may look there whoever asks.
  With every line as a text of its own, all numbers are means over the lines, ± their standard deviation.
- **Explain** takes one number of the model’s output and asks which words it depends on: attention, rollout,
  flow, norms, ALTI, gradients, integrated gradients. What none of them can do, it does as well: it takes
  each word away and measures. *Agreement* is Spearman’s rank correlation with that, over all words that are
  no special tokens, with a 95 % interval; a method that knows no sign is held against the size of the
  effect. Below, heads are switched off: their part of the layer’s output becomes zero.
"""

MODELS = r"""
### Other models, pictures, weights of your own
- **Decoders** (GPT-2, Llama and their kin) look only backwards: every row ends at the token itself. The
  first token often soaks up what a head has no use for, as [CLS] does in BERT.
- **Hybrids** (Jamba, LFM2, Qwen3-Next) mix layers with attention and others. Only those with attention are
  shown, under the model’s own numbers: a model may have the layers 1, 3 and 5.
- **Encoder-decoders** (T5, BART, Marian) have three attentions: the text in itself, what is written in
  itself, and **cross-attention**, where what is written looks in the text. There rows and columns are
  different tokens. A row is the step that writes the *next* token: the first is the mark that a decoder
  starts with. The second text is what the model shall write; without one it writes itself, always taking
  the likeliest token.
- **Vision models** (ViT, DINOv2, CLIP and others) cut a picture into patches and read them like words; 3·5 is the patch in row 3,
  column 5, from 0. You see the picture as the model got it, scaled and cropped. Marks stand beside the patches
  as [CLS] does beside words: [REG0] … are *registers*, which only keep notes; [DIST] and [DET0] … are read
  for a teacher’s answer and for the things that are found.
- **A file of weights** that you made elsewhere shows what a head does, but there is no model behind it to
  compute from: Explore, Compare and Heads work, Step by step and Explain cannot.
- **Characters that nobody sees**, such as ⟨ZWSP⟩ (zero-width space) or ⟨RLO⟩ (which turns a text round), are
  shown as marks: a tokenizer sees them, too.
"""

FORMULA = r"""
### The formula
$$\mathrm{Attention}(Q, K, V) = \mathrm{softmax}\!\left(\frac{Q K^\top}{\sqrt{d_k}}\right) V$$

Each token’s vector is turned into a query $q$, a key $k$ and a value $v$ of width $d_k$. The score
of a pair is $q \cdot k$. Dividing by $\sqrt{d_k}$ keeps the spread of the scores near 1 however wide
the vectors are: $d_k$ is the width of a key, $\sqrt{d_k}$ is only the scale. The softmax turns a row
of scores into weights, and the output is the mean of the values under these weights
(Vaswani et al. 2017).

Three things that are often told wrongly:
- The cost, $O(n^2 d)$, does not grow exponentially with the length $n$: it grows with its **square**.
- Distance is no obstacle: any two positions are **one step** apart. What attention alone cannot see
  is *order*; that is what positions are added for.
- $Q = W_Q X$ is for column vectors. Code keeps tokens in rows and computes $X W_Q^\top + b$.
"""

ROLLOUT = r"""
### From an output down to the input
One layer mixes each token’s own vector, which the residual connection keeps, with what attention
brings: $W_l = r\,I + (1-r)\,A_l$, where $A_l$ is the mean over the heads and $r$ the residual share, ½
unless you change it. The product $W_l \cdots W_0$ says how much of each input reaches a position after
layer $l$ (attention rollout, Abnar and Zuidema 2020). It knows weights alone: not the values, not the
feed-forward layers, and it lets special tokens drown the rest. Read it as a map of ways, not of causes.
"""

LIMITS = r"""
### What attention does not tell
- **A weight is not a contribution.** What a token passes on is weight × value. In the built-in BERT,
  [CLS] takes about half of the attention in the middle layers.
- **One text can fool.** A head that seems to find what a pronoun means may only look a fixed number
  of places back. Try other texts before believing it.
- **Attention is one piece of evidence**, and not by itself an explanation of what a model decides
  (Jain and Wallace 2019; Wiegreffe and Pinter 2019). On Explain you can measure how far it is one, on your
  own text.
- **In long texts weights are not unique**: with more tokens than a head has numbers, other weights give the very same output (Brunner et al. 2020).

### Where the numbers come from
The built-in BERT is all-MiniLM-L6-v2: 6 layers, 12 heads, 384 wide, at most 512 tokens, English. The
from-scratch layer has random weights, so its picture shows what attention looks like before it has
learned anything, unless you train it, or give it a BERT’s own weights.

Of any other model the queries and keys are taken while it runs, and every weight is computed from them.
The first time, a short text is read twice: so, and by Transformers’ own plain attention. *No weight is off by
more than 2e-6* is what was found: the sixth decimal. Where a model’s attention cannot be taken this way, its
weights are those that Transformers returns. Weights are shown rounded, and every digit is the model’s own. Your text stays on
the machine that runs this app.
"""

if not framed.get():
    main()
else:
    left, right = st.columns(2, gap="large")
    left.markdown(READING + CHOOSING + SWITCHES + PAGES)
    right.markdown(MODELS + FORMULA + ROLLOUT + LIMITS)
