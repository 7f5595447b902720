# Writes windows-jax.data.json: random convolutions and window reductions, and what JAX makes of them.
import json, numpy as np, jax, jax.numpy as jnp
from jax import lax
rng=np.random.default_rng(7)
out=[]
def arr(*s): return np.round(rng.uniform(-2,2,s),2).astype(np.float32)
L="HWD"
while len(out)<36:
    r=int(rng.integers(1,3)); G=int(rng.integers(1,4)); fg,bg=(G,1) if rng.random()<.5 else (1,G)
    N=int(rng.integers(1,4)); C=int(rng.integers(1,4)); O=int(rng.integers(1,4))
    n=N*bg; cin=C*fg; o=O*fg*bg
    S=[int(rng.integers(1,9-r)) for _ in range(r)]; K=[int(rng.integers(1,4)) for _ in range(r)]
    st=[int(rng.integers(1,4)) for _ in range(r)]; ld=[int(rng.integers(1,4)) for _ in range(r)]; rd=[int(rng.integers(1,3)) for _ in range(r)]
    pad=rng.choice(["SAME","VALID","SAME_LOWER","x","x"]); 
    if pad=="x": pad=[[int(a) for a in rng.integers(-2,4,2)] for _ in range(r)]
    else: pad=str(pad)
    sp=L[:r]
    def perm(chars): 
        c=list(chars); rng.shuffle(c); return "".join(c)
    dn=[perm("NC"+sp),perm("OI"+sp),perm("NC"+sp)] if rng.random()<.7 else None
    szl=dict(zip("NC"+sp,[n,cin]+S)); szr=dict(zip("OI"+sp,[o,C]+K))
    x=arr(*[szl[c] for c in (dn[0] if dn else "NC"+sp)]); w=arr(*[szr[c] for c in (dn[1] if dn else "OI"+sp)])
    f=lambda x,w: lax.conv_general_dilated(x,w,st,pad,ld,rd,tuple(dn) if dn else None,fg,bg,precision="highest")
    try: y=f(x,w)
    except Exception: continue
    if y.size>400 or x.size>300 or w.size>300: continue
    ct=arr(*y.shape); _,vjp=jax.vjp(f,x,w); dx,dw=vjp(jnp.asarray(ct))
    J=lambda a: {"shape":list(a.shape),"data":[float(np.float32(v)) for v in np.asarray(a).ravel()]}
    out.append(dict(kind="conv",x=J(x),w=J(w),ct=J(ct),strides=st,padding=pad,lhsDilation=ld,rhsDilation=rd,dimensionNumbers=dn,featureGroupCount=fg,batchGroupCount=bg,y=J(y),dx=J(dx),dw=J(dw)))
while len(out)<56:
    r=int(rng.integers(1,4)); S=[int(rng.integers(1,8)) for _ in range(r)]; K=[int(rng.integers(1,4)) for _ in range(r)]
    st=[int(rng.integers(1,4)) for _ in range(r)]; bd=[int(rng.integers(1,3)) for _ in range(r)]; wd=[int(rng.integers(1,3)) for _ in range(r)]
    op=str(rng.choice(["sum","max","min"]))
    pad=rng.choice(["SAME","VALID","x"])
    pad=[[int(a) for a in rng.integers(0,3,2)] for _ in range(r)] if pad=="x" else str(pad)
    x=arr(*S)
    if op!="sum": x=np.round(x)  # ties
    init={"sum":0.,"max":-np.inf,"min":np.inf}[op]; fn={"sum":lax.add,"max":lax.max,"min":lax.min}[op]
    f=lambda x: lax.reduce_window(x,init,fn,K,st,pad,bd,wd)
    try: y=f(x)
    except Exception: continue
    if y.size==0 or y.size>200 or not np.isfinite(np.asarray(y)).all(): continue
    ct=arr(*y.shape)
    try: dx=jax.vjp(f,x)[1](jnp.asarray(ct))[0]
    except Exception as e: continue
    out.append(dict(kind=op,x=J(x),ct=J(ct),sizes=K,strides=st,padding=pad,base=bd,window=wd,y=J(y),dx=J(dx)))
while len(out)<66:
    r=int(rng.integers(1,3)); S=[int(rng.integers(1,6)) for _ in range(r)]; K=[int(rng.integers(1,5)) for _ in range(r)]; st=[int(rng.integers(1,4)) for _ in range(r)]; rd=[int(rng.integers(1,3)) for _ in range(r)]
    pad=rng.choice(["SAME","VALID","x"]); pad=[[int(a) for a in rng.integers(0,3,2)] for _ in range(r)] if pad=="x" else str(pad)
    tk=bool(rng.random()<.5); N,C,O=2,2,3; cons=bool(rng.random()<.3)
    x=arr(N,*S,C); w=arr(*K,*( (O,C) if tk else (C,O)))
    try: y=lax.conv_transpose(x,w,st,[tuple(p) for p in pad] if not isinstance(pad,str) else pad,rhs_dilation=rd,transpose_kernel=tk,use_consistent_padding=cons,precision="highest")
    except Exception as e: continue
    if y.size>500: continue
    out.append(dict(kind="transpose",x=J(x),w=J(w),strides=st,padding=pad,rhsDilation=rd,transposeKernel=tk,useConsistentPadding=cons,y=J(y)))
json.dump(out,open("windows-jax.data.json","w"))
from collections import Counter; print(Counter(o["kind"] for o in out))
